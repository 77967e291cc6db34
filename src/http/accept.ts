/** A media range with its parameters (RFC 9110 §12.5.1). A comma within quotes belongs to the parameter. */
const RANGE = /(?:[^",]|"(?:[^"\\]|\\.)*")+/g;
const WEIGHT = /;[\t ]*q=([01](?:\.\d{0,3})?)[\t ]*(?:;|$)/i;

export const PROBLEM_JSON = 'application/problem+json';

/**
 * Whether a client prefers problem details to the envelope: its `Accept` names the media type of problem details, and
 * does not give `application/json` a higher weight. A wildcard names no type, so a client that accepts anything gets
 * the envelope.
 */
export function prefersProblem(accept: string | undefined): boolean {
  if (!accept?.toLowerCase().includes(PROBLEM_JSON)) return false;
  const weights = new Map<string, number>();
  for (const [range] of accept.matchAll(RANGE)) {
    const type = range.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    weights.set(type, Number(WEIGHT.exec(range)?.[1] ?? 1));
  }
  const problem = weights.get(PROBLEM_JSON) ?? 0;
  // The most specific range decides (§12.5.1).
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  return problem > 0 && problem >= json;
}
