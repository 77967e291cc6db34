/** Describes how a child process ended, as the rest of a sentence about it. */
export function describeEnd(code: number | null, signal: string | null): string {
  // When memory runs out, the kernel ends a process by SIGKILL. So may a person.
  if (signal === 'SIGKILL') return 'was killed (SIGKILL; the system does that when memory runs out)';
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}
