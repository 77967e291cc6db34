/** Whether this process was started with a flag that opens Node's inspector, on its command line or in `NODE_OPTIONS`. */
export function isInspectorWanted(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS']].join(' ');
  return /--inspect(-brk|-wait)?([= ]|$)/.test(options);
}
