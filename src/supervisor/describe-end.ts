/** How a child process ended, as the rest of a sentence about it. */
export function describeEnd(code: number | null, signal: string | null): string {
  // The kernel ends what takes the last of the memory by SIGKILL, and so do people.
  if (signal === 'SIGKILL') return 'was killed (SIGKILL; the system does that when memory runs out)';
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}
