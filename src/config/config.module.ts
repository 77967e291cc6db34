import { ConfigModule, registerAs } from '@nestjs/config';
import type { Config } from './config.js';

const GROUPS = ['http', 'limits', 'throttle', 'access', 'tarantool'] as const;

/**
 * Provides each group of the configuration by its token. The environment was read and checked before the application
 * is built.
 */
export function configModule(config: Config): ReturnType<typeof ConfigModule.forRoot> {
  return ConfigModule.forRoot({
    isGlobal: true,
    ignoreEnvFile: true,
    ignoreEnvVars: true,
    skipProcessEnv: true,
    load: GROUPS.map((group) => registerAs(group, () => config[group])),
  });
}
