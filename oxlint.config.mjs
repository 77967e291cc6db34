/**
 * The units of `src`, from the top floor to the ground floor. A unit may import units on lower floors, and none above
 * it or on its own floor. docs/architecture.md shows the same list.
 */
export const FLOORS = [
  ['main'],
  ['supervisor'],
  ['create-app'],
  ['app.module'],
  ['changes'],
  ['batch', 'listing', 'metrics'],
  ['kv'],
  ['access', 'feed'],
  ['health', 'throttling'],
  ['answers'],
  ['store'],
  ['http'],
  ['tarantool'],
  ['json'],
  ['msgpack', 'logging', 'entries'],
  ['config'],
];

const DRIVER = {
  group: ['tarantool-driver'],
  message: 'Only src/tarantool/driver-connection.ts knows the driver.',
};

const FRAMEWORK_OF_HTTP = {
  group: ['**/http/**', 'fastify', '@nestjs/platform-fastify'],
  message: 'Services, repositories and what they are made of know nothing of HTTP.',
};

const NEST_EXCEPTIONS = {
  regex: '^@nestjs/common$',
  importNamePattern: 'Exception$|^HttpStatus$',
  message: 'Services, repositories and what they are made of know nothing of HTTP.',
};

const ERRORS = {
  // No regular expression with a lookahead: oxlint takes it, and then it never matches.
  group: ['*', '!**/refusal.errors.js'],
  message: 'Errors import nothing but what they all are.',
};

/** The units that a unit must not import: those above it and on its own floor. */
function notBelow(unit) {
  const floor = FLOORS.findIndex((units) => units.includes(unit));
  return FLOORS.slice(0, floor + 1)
    .flat()
    .filter((other) => other !== unit);
}

/** A file directly in `src` names other units by `./unit`, and a file in a folder by `../unit`. */
function floorRule(unit, path) {
  return {
    regex: `^${path}(${notBelow(unit).join('|').replaceAll('.', '\\.')})(/|\\.js$)`,
    message: `src/${unit} may import only from the floors below it (oxlint.config.mjs).`,
  };
}

/** When several overrides match a file, only the last one counts. So each override lists all rules for its files. */
function restrict(files, ...patterns) {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const FILES = ['main', 'create-app', 'app.module'];
const FOLDERS = FLOORS.flat().filter((unit) => !FILES.includes(unit));
const KNOWS_NO_HTTP = ['entries', 'store'];

export default {
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node'],
  ignorePatterns: ['test/conformance'],
  env: { node: true },
  rules: {
    'max-lines-per-function': ['error', { max: 70 }],
    'no-warning-comments': 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
  },
  overrides: [
    // In tests, what describe() holds may be longer: test/tidy.spec.ts looks at each function there.
    { files: ['**/*spec.{ts,mjs}'], rules: { 'max-lines-per-function': 'off' } },
    { files: ['src/**'], rules: { 'max-lines': ['error', { max: 200 }] } },
    // A table of data grows by rows.
    { files: ['src/**/*.spec.ts', 'src/http/error-table.ts'], rules: { 'max-lines': 'off' } },
    // Only src/config reads the environment.
    { files: ['src/**'], rules: { 'node/no-process-env': 'error' } },
    { files: ['src/config/**'], rules: { 'node/no-process-env': 'off' } },
    ...FILES.map((unit) => restrict([`src/${unit}.ts`], DRIVER, floorRule(unit, '\\./'))),
    ...FOLDERS.flatMap((unit) => {
      const always = [DRIVER, floorRule(unit, '(\\./)?(\\.\\./)+')];
      const withoutHttp = [...always, FRAMEWORK_OF_HTTP, NEST_EXCEPTIONS];
      const files = KNOWS_NO_HTTP.includes(unit)
        ? [`src/${unit}/**/*.ts`]
        : [`src/${unit}/**/*.service.ts`, `src/${unit}/**/*.repository.ts`];
      return [
        restrict([`src/${unit}/**/*.ts`], ...always),
        restrict(files, ...withoutHttp),
        restrict([`src/${unit}/**/*.errors.ts`], ERRORS),
      ];
    }),
    { files: ['src/tarantool/driver-connection*.ts'], rules: { 'no-restricted-imports': 'off' } },
  ],
};
