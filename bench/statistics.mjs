export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @returns `{ median, min, max }` */
export function summary(numbers) {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/** The ratios of two contestants in the same rounds, summarised. */
export function ratio(numbers, base) {
  return summary(numbers.map((number, round) => number / base[round]));
}
