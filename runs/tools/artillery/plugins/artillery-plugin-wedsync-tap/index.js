// Runs inside Artillery beside the user's script: says hello, waits for "go" before any other part
// of the test may begin, then hands over what every worker measures.
//
// A line is at most PIPE_BUF long: the kernel takes it whole or not at all, so lines of two threads
// never mix and a full pipe never blocks a load generator. What it does not take stays summed up.
import fs from "node:fs";
import net from "node:net";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";
import { FLUSH_MS, Sheet, now, say } from "./sheet.js";
import { hearEngines } from "./engines.js";
import { HOOKS, hear } from "./hearing.js";
import { takePart } from "./part.js";
import { hearStatistics } from "./statistics.js";
import { Workers } from "./workers.js";

const HEARTBEAT_MS = 1000;
const FAREWELL_MS = 300;
const LOST = 3;

const channel = new BroadcastChannel("wedsync");
channel.unref();
const hasHook = typeof global.artillery?.__SSMS?.prototype?.incr === "function";

export const LEGACY_METRICS_FORMAT = false;

export class Plugin {
  constructor(script, events) {
    if (isMainThread) return supervise(events);
    takePart(script.config.phases);
    if (hasHook) listen(script);
    speak();
  }
}

// Everything waits here, since Artillery imports its plugins one by one before it makes any of them.
if (isMainThread) await untilGo();

const sheet = new Sheet();
const hearsEngines = !isMainThread && hasHook && (await hearEngines(sheet, HOOKS));

function untilGo() {
  // Node makes the pipe non-blocking with this, for all threads.
  const samples = Number(process.env.WEDSYNC_SAMPLES_FD);
  global.wedsyncSamples = new net.Socket({ fd: samples, readable: false, writable: true }).unref();
  const go = new net.Socket({ fd: Number(process.env.WEDSYNC_GO_FD), readable: true });
  // A closed pipe is a supervisor that died.
  go.on("close", () => process.exit(LOST)).on("error", () => process.exit(LOST));
  say({ hello: 1 });
  return new Promise((resolve) => {
    go.once("data", () => {
      go.unref().resume();
      process.emit("wedsync:go");
      resolve();
    });
  });
}

function supervise(events) {
  const workers = new Workers();
  const beat = () => say({ worker: 0, at: now(), users: 0, dropped: 0 });
  setInterval(() => workers.mayBeSilent && beat(), HEARTBEAT_MS).unref();
  global.artillery.globalEvents.on("checks", (checks) => {
    const told = checks.map(({ original, strict, result }) => [original, strict, result === 1]);
    fs.writeFileSync(process.env.WEDSYNC_CHECKS, JSON.stringify(told));
  });
  if (!hasHook) hearStatistics(events);
  let waiting = 0;
  let flushed = () => {};
  channel.onmessage = ({ data }) => {
    if (data !== "flushed") workers.hear(data);
    else if ((waiting -= 1) <= 0) flushed();
  };
  global.artillery.ext({
    ext: "onShutdown",
    method: () =>
      new Promise((resolve) => {
        flushed = resolve;
        waiting = workers.up;
        if (!waiting) return resolve();
        setTimeout(resolve, FAREWELL_MS);
        return channel.postMessage("flush");
      }),
  });
}

function listen(script) {
  if (!hearsEngines) {
    console.error(
      "WedSync cannot listen to the engines of this version of Artillery: messages of WebSocket " +
        "and Socket.IO are not counted. ./wedsync tools installs a version that it knows.",
    );
  }
  hear(script, global.artillery.__SSMS, sheet, hearsEngines);
}

// Of a worker: also with nothing to tell, as a sign that it lives.
function speak() {
  const flush = () => sheet.flush();
  setInterval(flush, FLUSH_MS).unref();
  process.on("exit", flush);
  channel.onmessage = ({ data }) => {
    if (data !== "flush") return;
    flush();
    channel.postMessage("flushed");
  };
  channel.postMessage({ here: threadId });
}
