// Listens to one worker: to Artillery's engines for every request with its name, and to its
// metric store for all the rest, whichever engine it comes from.
import { performance } from "node:perf_hooks";
import flow from "../flow.cjs";

const REQUESTS = "requests";
const TIMED_OUT = "ETIMEDOUT";
// What the requests say already, by endpoint and status.
const TOLD = /^(http\.(requests|responses|codes\.|request_rate|response_rate|response_time)|plugins\.metrics-by-endpoint\.)/;
const MOST_OPEN = 10_000;
// Functions of the script's processor, as Artillery's HTTP engine calls them.
export const HOOKS = { beforeRequest: ["wedsyncBeforeRequest"], onError: ["wedsyncOnError"] };

export function hear(script, SSMS, sheet, hearsEngines) {
  const state = { hearsHttp: false, code: "" };
  hearRequests(script, sheet, state);
  const heard = hearsEngines ? undefined : ["http"];
  const countsSessions = script.scenarios.every((one) => flow.isQuiet(one, script.config, heard));
  listen(SSMS, "incr", (name, value) => {
    if (name === "vusers.created") sheet.users += value;
    if (name === "vusers.completed" || name === "vusers.failed") sheet.users -= value;
    if (countsSessions && name === "vusers.failed" && value) {
      sheet.add(REQUESTS, "trend", "session", "failed", null, true);
    }
    if (!state.hearsHttp) hearCode(name, state);
    if (value && !TOLD.test(name)) sheet.add(name, "counter", "", "", value);
  });
  listen(SSMS, "rate", (name) => {
    if (!TOLD.test(name)) sheet.add(name, "counter", "", "", 1);
  });
  listen(SSMS, "histogram", (name, value) => {
    if (!state.hearsHttp && name === "http.response_time") {
      sheet.add(REQUESTS, "trend", "HTTP", state.code, value, state.code >= "400");
    }
    if (countsSessions && name === "vusers.session_length") {
      sheet.add(REQUESTS, "trend", "session", "", value);
    }
    if (!TOLD.test(name)) sheet.add(name, "trend", "", "", value);
  });
}

// The HTTP engine tells an answer by a trace event on the emitter that every hook is given, and
// that none came by the hook for errors. A hop of a redirect is a request of its own.
function hearRequests(script, sheet, state) {
  const open = new Map();
  const addresses = new WeakMap();
  const emitters = new WeakSet();
  const nameOf = (request) => {
    const address = addresses.get(request) ?? request.url;
    return request.name || `${request.method} ${pathOf(address, script.config.target)}`;
  };
  const begin = (request) => {
    open.set(request.uuid, { request, began: performance.now() });
    if (open.size > MOST_OPEN) open.delete(open.keys().next().value);
  };
  const answered = ({ statusCode, timings }, id) => {
    const found = open.get(id);
    open.delete(id);
    state.hearsHttp = true;
    if (!found) return;
    const latency = timings.phases.firstByte ?? performance.now() - found.began;
    sheet.add(REQUESTS, "trend", nameOf(found.request), statusCode, latency, statusCode >= 400);
  };
  const functions = {
    wedsyncBeforeRequest(request, _context, events, done) {
      addresses.set(request, request.url); // not filled in: one endpoint, not one for each guest
      begin(request);
      if (!emitters.has(events)) {
        emitters.add(events);
        events.on("trace:http:request", begin);
        events.on("trace:http:response", answered);
      }
      done();
    },
    wedsyncOnError(error, request, _context, _events, done) {
      const found = open.get(request.uuid);
      if (open.delete(request.uuid)) {
        // else it was answered before something else went wrong
        const code = error.code || error.name;
        const waited = code === TIMED_OUT ? performance.now() - found.began : null;
        sheet.add(REQUESTS, "trend", nameOf(request), code, waited, true);
      }
      done();
    },
  };
  script.config.processor = Object.assign(script.config.processor ?? {}, functions);
  for (const scenario of script.scenarios) {
    for (const [hook, ours] of Object.entries(HOOKS)) {
      scenario[hook] = [...ours, ...[scenario[hook] ?? []].flat()];
    }
  }
}

// Where the trace events are gone, the counters still tell status and latency, but no endpoint.
function hearCode(name, state) {
  const code = /^http\.codes\.(\d+)$/.exec(name);
  if (code) state.code = code[1];
}

function pathOf(address, target) {
  const path = target && address.startsWith(target) ? address.slice(target.length) : address;
  return path.split(/[?#]/)[0] || "/";
}

// A fault in here must never become one of the test.
function listen(kind, method, told) {
  const original = kind.prototype[method];
  kind.prototype[method] = function (...words) {
    told(...words);
    return original.apply(this, words);
  };
}
