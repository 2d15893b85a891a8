// The closed seconds of a run, or the spans that are left of them, one word each; a missing one is a gap.
import { percent } from "./format.js";

export const FIELDS = {
  rps: (word) => word.rps,
  failed: (word) => word.rps * word.error_rate,
  errors: (word) => percent(word.error_rate),
  p50: (word) => word.p50_ms,
  p95: (word) => word.p95_ms,
  p99: (word) => word.p99_ms,
  users: (word) => word.users,
};

export class Seconds {
  #words = new Map();
  #first = Infinity;
  #last = -Infinity;
  #width = 1;

  put(word) {
    if (!word.final) return;
    const at = Math.floor(Date.parse(word.at) / 1000);
    this.#words.set(at, word);
    this.#width = word.width ?? this.#width;
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at);
  }

  get isEmpty() {
    return this.#words.size === 0;
  }

  /** Times, then one column for each field; null where nothing was measured. */
  columns(...names) {
    const times = this.#times(this.#first);
    return [times, ...names.map((name) => times.map((at) => this.#value(name, at)))];
  }

  /** A field's last values, oldest first, for a sparkline. */
  tail(name, count) {
    const times = this.#times(Math.max(this.#first, this.#last - count * this.#width));
    return times.map((at) => this.#value(name, at));
  }

  /** The newest second. */
  latest() {
    return this.#words.get(this.#last) ?? null;
  }

  /** The first second for which `claim(word)` holds, in seconds since 1970. */
  firstWhere(claim) {
    return this.#times(this.#first).find((at) => {
      const word = this.#words.get(at);
      return word && claim(word);
    });
  }

  #times(first) {
    if (this.isEmpty) return [];
    const length = Math.floor((this.#last - first) / this.#width) + 1;
    return Array.from({ length }, (_, index) => first + index * this.#width);
  }

  #value(name, at) {
    const word = this.#words.get(at);
    return word ? (FIELDS[name](word) ?? null) : null;
  }
}
