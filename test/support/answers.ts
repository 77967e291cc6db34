/** The bodies of every answer but a value's, as the contract prints them. */
export const answers = {
  inserted: { message: 'inserted', status: 200 },
  updated: { message: 'updated', status: 200 },
  deleted: { message: 'deleted', status: 200 },
  invalidBody: { message: 'invalid request body', status: 400 },
  invalidKey: { message: 'invalid key', status: 400 },
  malformed: { message: 'malformed request', status: 400 },
  keyNotFound: { message: 'key not found', status: 404 },
  notFound: { message: 'not found', status: 404 },
  methodNotAllowed: { message: 'method not allowed', status: 405 },
  keyExists: { message: 'key already exists', status: 409 },
  tooLarge: { message: 'request body too large', status: 413 },
  unsupportedMediaType: { message: 'unsupported media type', status: 415 },
  tooManyRequests: { message: 'too many requests', status: 429 },
  headersTooLarge: { message: 'request header fields too large', status: 431 },
  unavailable: { message: 'storage unavailable', status: 503 },
  outcomeUnknown: { message: 'outcome unknown', status: 504 },
} as const;
