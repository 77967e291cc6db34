const VERSION = /^[1-9]\d{0,15}$/;

/** Whether a text is a version in the form in which answers show it: a number in decimal digits. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}
