/**
 * The answer to a request that was not carried out for an ordinary reason, such as a missing key. The client is told
 * its code. A refusal has no stack trace: nobody needs to know where it was thrown, and recording the stack takes
 * most of the time that a refusal costs (5.6 of 6.1 µs on Node 20). The error that caused a refusal keeps its stack
 * trace.
 */
export class Refusal<Code extends string> extends Error {
  constructor(
    readonly code: Code,
    options?: ErrorOptions,
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(code, options);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
