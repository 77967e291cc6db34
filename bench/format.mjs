/** Formats numbers for people. */
export function rate(perSecond) {
  return Math.round(perSecond).toLocaleString('en');
}

export function times(ratio) {
  return ratio < 0.1 ? ratio.toFixed(3) : ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1);
}

export function milliseconds(ms) {
  return ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** The median and the range of the measurements, formatted by `show`. */
export function spread({ median, min, max }, show) {
  return { median: show(median), range: `${show(min)} – ${show(max)}` };
}
