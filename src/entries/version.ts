const VERSION = /^[1-9]\d{0,15}$/;

/** Whether a text is a version of an entry, as answers show it: a number in decimal digits. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}
