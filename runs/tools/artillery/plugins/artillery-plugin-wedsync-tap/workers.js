// In the main thread: which of Artillery's workers live. While they do, each speaks for itself: a
// main thread that says all is well would hide that the script makes every worker hang.
import { performance } from "node:perf_hooks";

const LOADING_MS = 30_000;
const FAILED = 11; // as Artillery ends when a worker of its own fails
const LAST_WORDS_MS = 100;

export class Workers {
  constructor(loadingMs = LOADING_MS) {
    this.loadingMs = loadingMs;
    this.living = new Map(); // by thread: whether it has loaded the script
    this.gone = new Set();
    this.newsAt = 0;
    this.isEnding = false;
    process.on("worker", (worker) => this.follow(worker));
    global.artillery.globalEvents.on("shutdown:start", () => {
      this.isEnding = true;
    });
  }

  hear({ born, here }) {
    if (this.gone.has(here ?? born)) return; // a word that came late
    this.living.set(here ?? born, Boolean(here));
    this.newsAt = performance.now();
  }

  get up() {
    return [...this.living.values()].filter(Boolean).length;
  }

  // Before the first, after the last, and while they load the script, as long as that may take.
  get mayBeSilent() {
    const isLoading = performance.now() - this.newsAt < this.loadingMs;
    return !this.living.size || (!this.up && isLoading);
  }

  // Artillery itself would wait for ever for one that is gone.
  follow(worker) {
    const id = worker.threadId;
    let isOver = false;
    worker.on("message", (told) => {
      isOver ||= told?.event === "done";
    });
    worker.on("exit", () => setTimeout(() => this.bury(id, isOver), LAST_WORDS_MS));
  }

  bury(id, isOver) {
    this.gone.add(id);
    if (!this.living.delete(id) || isOver || this.isEnding) return;
    console.error(
      `worker error, id: ${id} Error: process.exit() ended it, and all its users with it. Let the ` +
        "script throw an error instead.",
    );
    process.exit(FAILED);
  }
}
