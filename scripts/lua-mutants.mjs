// The places of a Lua file at which one thing can be changed.

/** By token: what it becomes. */
const SWAPS = {
  '==': '~=',
  '~=': '==',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '+': '-',
  '-': '+',
  and: 'or',
  or: 'and',
  true: 'false',
  false: 'true',
  not: '',
};
/** Larger numbers are sizes and times, of which it does not matter whether they are one more. */
const MAX_LITERAL = 64;
/** Words of rights, which decide who may do what. */
const RIGHTS = /^'(guest|public|LUA|execute|function|session,usage|universe|user|health|kv|throttle)'$/;

const TOKEN =
  /--\[\[[\s\S]*?\]\]|--[^\n]*|\[\[[\s\S]*?\]\]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|0x[\da-fA-F]+U?L?L?|\d+(?:\.\d+)?(?:U?LL)?|[A-Za-z_]\w*|[=~<>]=|\.{2,3}|[^\s]/g;
/** A whole statement on a line of its own: a call, or an assignment to what there is. */
const STATEMENT =
  /^ +(?!local |return|if |for |while |until |elseif |function |end)[\w.[\]:, ]+(\(.*\)| = .*[^,{(]);?$/;

/** @returns the mutants of a file: {file, line, change, text}. */
export function mutantsOf(file, source) {
  const lineAt = (index) => source.slice(0, index).split('\n').length;
  const mutant = (from, to, replacement) => ({
    file,
    line: lineAt(from),
    change: `${source.slice(from, to).trim()} → ${replacement.trim() || 'nothing'}   in: ${lineOf(source, from)}`,
    text: source.slice(0, from) + replacement + source.slice(to),
  });
  const found = [];
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    const replacement = replacementOf(token, source, index);
    if (replacement !== undefined) found.push(mutant(index, index + token.length, replacement));
  }
  let at = 0;
  for (const line of source.split('\n')) {
    if (STATEMENT.test(line) && isBalanced(line)) found.push(mutant(at, at + line.length, ''));
    at += line.length + 1;
  }
  return found;
}

function replacementOf(token, source, index) {
  if (Object.hasOwn(SWAPS, token)) return isSign(token, source, index) ? undefined : SWAPS[token];
  if (/^\d+$/.test(token) && Number(token) <= MAX_LITERAL) {
    return isErrorLevel(source, index) ? undefined : String(Number(token) + 1);
  }
  if (RIGHTS.test(token)) return `'${token.slice(1, -1)}_'`;
  return undefined;
}

/** Whether a minus belongs to a number. */
function isSign(token, source, index) {
  return token === '-' && /[=(,{]\s*$|return $/.test(source.slice(Math.max(0, index - 8), index));
}

/** Whether it is the level of error(problem, 0), which changes nothing of an error that is no string. */
function isErrorLevel(source, index) {
  return /\berror\(.*, $/.test(source.slice(source.lastIndexOf('\n', index), index));
}

function lineOf(source, index) {
  const from = source.lastIndexOf('\n', index) + 1;
  return source.slice(from, source.indexOf('\n', index)).trim().slice(0, 90);
}

function isBalanced(line) {
  const count = (character) => line.split(character).length;
  return count('(') === count(')') && count('{') === count('}') && count('[') === count(']');
}
