// What one worker measured and has not handed over yet: by second, metric, name and status, how
// often each value came. Latencies are whole or tenths of ms, so a reader that is behind costs little.
//
// Lines: {"hello":1}, then at least once a second
// {"worker":1,"at":1795443510,"users":3,"dropped":0,"cell":[second, metric, kind, name, status,
// [value, times, ...], errors, unanswered]}; "cell" is left out where there is nothing to tell.
import fs from "node:fs";
import { threadId } from "node:worker_threads";

export const FLUSH_MS = 200;
const LONGEST_LINE = 4096; // PIPE_BUF
const LONGEST_NAME = 120;
const MOST_IN_LINE = 100;
const MOST_HELD = 100_000;

const samples = Number(process.env.WEDSYNC_SAMPLES_FD);

// False where the pipe is full; a pipe that nobody reads any more ends Artillery.
export function say(word) {
  const line = Buffer.from(`${JSON.stringify(word)}\n`);
  if (line.length > LONGEST_LINE) return true; // nothing of ours is: left out rather than torn
  try {
    fs.writeSync(samples, line);
  } catch (error) {
    if (error.code === "EAGAIN") return false;
    process.exit(3);
  }
  return true;
}

export class Sheet {
  constructor(tell = say) {
    this.tell = tell;
    this.cells = new Map();
    this.held = 0; // cells and their values
    this.users = 0;
    this.dropped = 0;
  }

  // One value of a metric; null says that no answer came.
  add(metric, kind, name, status, value, failed = false) {
    if (value !== null && !(value >= 0 && value < Infinity)) return;
    const second = now();
    const key = `${second}\n${metric}\n${name}\n${status}`;
    let cell = this.cells.get(key);
    if (!cell) {
      const labels = [cut(metric), kind, cut(name), cut(status)];
      cell = { second, labels, values: new Map(), errors: 0, unanswered: 0 };
      this.cells.set(key, cell);
      this.held += 1;
    }
    const before = cell.values.size;
    cell.errors += failed ? 1 : 0;
    if (value === null) cell.unanswered += 1;
    else if (kind === "counter") cell.values.set(...summed(cell.values, value));
    else count(cell.values, Math.round(value * 1000) / 1000);
    this.held += cell.values.size - before;
    if (this.held > MOST_HELD) this.drop();
  }

  flush() {
    for (const [key, cell] of this.cells) {
      if (!this.handOver(cell)) return;
      this.cells.delete(key);
      this.held -= 1;
    }
    this.tell({ worker: threadId, at: now(), users: this.users, dropped: this.dropped });
  }

  handOver(cell) {
    do {
      const part = [...cell.values].slice(0, MOST_IN_LINE);
      const count = part.reduce((sum, [, times]) => sum + times, cell.unanswered);
      const errors = Math.min(cell.errors, count);
      const word = [cell.second, ...cell.labels, part.flat(), errors, cell.unanswered];
      const line = { worker: threadId, at: now(), users: this.users, dropped: this.dropped };
      if (!this.tell({ ...line, cell: word })) return false;
      for (const [value] of part) cell.values.delete(value);
      this.held -= part.length;
      cell.errors -= errors;
      cell.unanswered = 0;
    } while (cell.values.size);
    return true;
  }

  // The oldest cell goes when a reader is so far behind that even the sums are too many.
  drop() {
    const [key, cell] = this.cells.entries().next().value;
    this.cells.delete(key);
    this.held -= 1 + cell.values.size;
    if (cell.labels[0] !== "requests") return;
    for (const times of cell.values.values()) this.dropped += times;
    this.dropped += cell.unanswered;
  }
}

function count(values, value) {
  values.set(value, (values.get(value) ?? 0) + 1);
}

// The one entry of a counter's values: what it came to, once.
function summed(values, value) {
  const [before = 0] = values.keys();
  values.clear();
  return [before + value, 1];
}

function cut(text) {
  return String(text).slice(0, LONGEST_NAME);
}

export function now() {
  return Math.floor(Date.now() / 1000);
}
