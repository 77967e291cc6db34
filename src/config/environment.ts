import { Transform } from 'class-transformer';
import { IsIn, IsNotEmpty, IsOptional, Validate } from 'class-validator';
import { availableParallelism } from 'node:os';
import { HostName, HostNames, Networks, Origins, Secret, SECRET_FORM, WithinRange } from './constraints.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * The variables that the service reads, with their defaults and the values that each accepts. No secret has a
 * default.
 */
export class Environment {
  @IsNotEmpty({ message: 'an address to listen on' })
  HOST = '0.0.0.0';

  @Whole(0, 65535)
  PORT = 5000;

  @Whole(1, 256)
  WORKERS = availableParallelism();

  @OneOf(LOG_LEVELS)
  LOG_LEVEL = 'info';

  @OneOf(['json', 'pretty'])
  LOG_FORMAT: 'json' | 'pretty' = process.stdout.isTTY ? 'pretty' : 'json';

  @List()
  @Validate(Networks, { message: 'addresses or CIDRs, separated by commas' })
  TRUST_PROXY: string[] = [];

  @List()
  @Validate(Origins, { message: 'origins such as https://app.example, separated by commas, or *' })
  CORS_ORIGINS: string[] = [];

  @List()
  @Validate(HostNames, { message: 'host names or addresses without a port, separated by commas, or *' })
  @IsOptional()
  ALLOWED_HOSTS?: string[];

  @Whole(0, 1_000_000_000)
  THROTTLE_LIMIT = 1000;

  @Whole(10, 86_400_000, 'ms')
  THROTTLE_TTL = 1000;

  // A key is part of the request line, where each of its bytes may take three. All must fit into Node's 16 KiB of
  // headers.
  @Whole(1, 4096)
  MAX_KEY_BYTES = 512;

  @Whole(64, 33_554_432)
  MAX_BODY_BYTES = 1_048_576;

  @Whole(1, 65_536, 'MiB')
  MAX_ANSWERS_MIB = 64;

  @Whole(1, 65_536, 'MiB')
  MAX_BODIES_MIB = 128;

  @Whole(2, 1_000_000)
  MAX_CONNECTIONS = 10_000;

  @Whole(0, 1_000_000)
  MAX_WATCHERS = 10_000;

  // Tarantool's own Lua refuses more than 127 levels. Values stay below that, so that operators can look at them
  // there.
  @Whole(1, 100)
  MAX_DEPTH = 64;

  @Validate(Secret, { message: SECRET_FORM })
  @IsOptional()
  ADMIN_TOKEN?: string;

  @IsNotEmpty({ message: 'a file' })
  @IsOptional()
  ADMIN_TOKEN_FILE?: string;

  @OneOf(['true', 'false'])
  METRICS: 'true' | 'false' = 'true';

  @OneOf(['true', 'false'])
  @IsOptional()
  TARANTOOL_EMBEDDED?: 'true' | 'false';

  @Validate(HostName, { message: 'a host name or address without a port' })
  @IsOptional()
  TARANTOOL_HOST?: string;

  @Whole(1, 65535)
  TARANTOOL_PORT = 3301;

  @IsNotEmpty({ message: 'a user name' })
  TARANTOOL_USER = 'api_user';

  @IsNotEmpty({ message: 'a password' })
  @IsOptional()
  TARANTOOL_PASSWORD?: string;

  @Whole(50, 600_000, 'ms')
  TARANTOOL_TIMEOUT = 2000;

  @OneOf(['fsync', 'write'])
  TARANTOOL_WAL_MODE: 'fsync' | 'write' = 'fsync';

  @Whole(64, 1_048_576, 'MiB')
  TARANTOOL_MEMORY = 256;

  @Whole(0, 1_048_576, 'MiB')
  CHANGES_MEMORY = 32;

  @Whole(1, 1_048_576, 'MiB')
  IDEMPOTENCY_MEMORY = 32;

  @Whole(1, 604_800, 'seconds')
  IDEMPOTENCY_TTL = 600;

  @IsNotEmpty({ message: 'a folder' })
  DATA_DIR = './data';

  @Whole(0, 600_000, 'ms')
  SHUTDOWN_TIMEOUT = 10_000;
}

/** A whole number in decimal digits. `unit` is used in the message. */
function Whole(min: number, max: number, unit = ''): PropertyDecorator {
  return (target, property) => {
    Transform(({ value }) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN))(
      target,
      property as string,
    );
    Validate(WithinRange, [min, max], {
      message: `a whole number from ${min} to ${max}${unit && ` (${unit})`}`,
    })(target, property);
  };
}

/** Items separated by commas. */
function List(): PropertyDecorator {
  return Transform(({ value }) => (value as string).split(',').map((item) => item.trim()));
}

function OneOf(values: string[]): PropertyDecorator {
  return IsIn(values, { message: `one of ${values.join(', ')}` });
}
