// What can be learnt from scrapes of the Prometheus text format: sums, rates and quantiles.

/**
 * Parses an exposition: the samples of each name added up, and for histograms the counts up to each bound.
 * @returns {{sums: Map<string, number>, buckets: Map<string, Map<number, number>>}}
 */
export function parseSamples(text) {
  const sums = new Map();
  const buckets = new Map();
  for (const [, name, labels = "", value] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/gm)) {
    const bound = /(?:^|,)le="([^"]*)"/.exec(labels)?.[1];
    if (bound === undefined) {
      add(sums, name, Number(value));
    } else {
      if (!buckets.has(name)) buckets.set(name, new Map());
      add(buckets.get(name), bound === "+Inf" ? Infinity : Number(bound), Number(value));
    }
  }
  return { sums, buckets };
}

function add(map, key, value) {
  map.set(key, (map.get(key) ?? 0) + value);
}

/**
 * How much a counter grew per second between two scrapes.
 * @param {{at: number, sums: Map}} earlier `at` in milliseconds
 * @returns {number | undefined} undefined where that cannot be known: no counter, no time between, or it began anew
 */
export function rate(earlier, later, name) {
  const seconds = (later.at - earlier.at) / 1000;
  const growth = later.sums.get(name) - earlier.sums.get(name);
  return seconds > 0 && growth >= 0 ? growth / seconds : undefined;
}

/**
 * The value below which a share of what a histogram counted between two scrapes lies, as if it were spread evenly within
 * each bucket.
 * @param {number} share 0.99 for p99
 * @returns {number | undefined} undefined where nothing was counted
 */
export function quantile(earlier, later, name, share) {
  const before = earlier.buckets.get(`${name}_bucket`);
  const after = later.buckets.get(`${name}_bucket`);
  if (!before || !after) return undefined;
  const counts = [...after].sort(([a], [b]) => a - b).map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]);
  const total = counts.at(-1)?.[1];
  if (!(total > 0)) return undefined;
  const rank = share * total;
  let [lowerBound, below] = [0, 0];
  for (const [bound, count] of counts) {
    if (count >= rank) {
      // Of the last bucket only the lower end is known.
      if (bound === Infinity) return lowerBound;
      return lowerBound + ((bound - lowerBound) * (rank - below)) / (count - below);
    }
    [lowerBound, below] = [bound, count];
  }
  return undefined;
}
