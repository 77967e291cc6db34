import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load-config.js';
import { openAddressWarning } from './open-address.js';

describe('the start of a service', () => {
  const warning = (variables: NodeJS.ProcessEnv) =>
    openAddressWarning(loadConfig(variables), 'http://a:5000');

  // Holds token.open-is-told.
  it('says that it needs no tokens, where other machines may reach it', () => {
    expect(warning({})).toBe(
      'no ADMIN_TOKEN is set, so whoever reaches this address can read and write everything, from other machines too: http://a:5000',
    );
    expect(warning({ HOST: '10.0.0.1' })).toBeDefined();
  });

  it.each([[{ HOST: '127.0.0.1' }], [{ HOST: 'localhost' }], [{ ADMIN_TOKEN: 'a-token-of-the-test' }]])(
    'says nothing with %j',
    (variables) => {
      expect(warning(variables)).toBeUndefined();
    },
  );
});
