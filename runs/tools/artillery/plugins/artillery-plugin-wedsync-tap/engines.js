// Artillery's engines for WebSocket and Socket.IO have no hooks: every step of theirs is timed
// where it is made. What HTTP they ask for in between is given the hooks of the HTTP engine.
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const REQUESTS = "requests";
const HOST = /^(\w+:\/\/[^/?#]*|{{\s*target\s*}})/;
const UNTIMED = ["loop", "think", "log", "function", "connect"];
// Of what is timed here; where one of them is gone, none is touched.
const METHODS = {
  ws: ["createScenario", "step", "compile"],
  socketio: ["step", "loadContextSocket"],
  http: ["step"],
};
// With any other error nothing was asked, or nobody was there: it has no latency.
const ANSWERED = /^(response timeout|Failed |data is not valid)/;

// How to begin anew with what a user waits for, once the connection for it stands.
const begun = new WeakMap();

// False where this Artillery keeps its engines elsewhere.
export async function hearEngines(sheet, httpHooks) {
  let found;
  try {
    found = await Promise.all(Object.keys(METHODS).map(load));
  } catch {
    return false;
  }
  const [ws, socketio, http] = found;
  hearWebSocket(ws, sheet);
  hearSocketIo(socketio, sheet);
  replace(http, "step", (step) => function (spec, events, hooks = httpHooks) {
    return step.call(this, spec, events, hooks);
  });
  return true;
}

async function load(name) {
  const core = pathToFileURL(`${process.env.WEDSYNC_CORE}/`);
  const engine = (await import(new URL(`engine_${name}.js`, core))).default.prototype;
  for (const method of METHODS[name]) {
    if (typeof engine[method] !== "function") throw new TypeError(`${name} has no ${method}`);
  }
  return engine;
}

function hearWebSocket(engine, sheet) {
  let place = "/"; // of the scenario that is being made: that happens in one go
  replace(engine, "createScenario", (create) => function (scenario, events) {
    place = placeOf(scenario.flow, this.config);
    return create.call(this, scenario, events);
  });
  replace(engine, "step", (step) => function (spec, events) {
    const run = step.call(this, spec, events);
    if (UNTIMED.some((word) => spec[word])) return run;
    return timed(run, `ws ${Object.keys(spec)[0]} ${place}`, sheet);
  });
  replace(engine, "compile", (compile) => function (tasks, flow, events) {
    const name = `ws connect ${place}`;
    const connecting = new WeakMap();
    const connected = (context, next) => {
      connecting.get(context.vars)?.();
      next(null, context);
    };
    const scenario = compile.call(this, [connected, ...tasks], flow, events);
    return (context, done) => {
      const tell = watch(name, sheet);
      connecting.set(context.vars, tell);
      scenario(context, (error, after) => {
        if (error) tell(error);
        done(error, after);
      });
    };
  });
}

function hearSocketIo(engine, sheet) {
  replace(engine, "step", (step) => function (spec, events) {
    const run = step.call(this, spec, events);
    if (!spec.emit) return run;
    const channel = spec.emit.channel ?? spec.emit[0];
    const place = spec.namespace ? `${spec.namespace} ` : "";
    return timed(run, `socketio emit ${place}${channel}`, sheet);
  });
  replace(engine, "loadContextSocket", (load) => function (namespace, context, done) {
    if (context.sockets?.[namespace]) return load.call(this, namespace, context, done);
    const tell = watch(`socketio connect ${namespace || "/"}`, sheet);
    return load.call(this, namespace, context, (error, socket) => {
      tell(error);
      begun.get(context)?.(error);
      done(error, socket);
    });
  });
}

function timed(run, name, sheet) {
  return (context, done) => {
    let tell = watch(name, sheet);
    begun.set(context, (error) => {
      tell = error ? () => {} : watch(name, sheet);
    });
    return run(context, (error, after) => {
      tell(error);
      done(error, after);
    });
  };
}

// Tells once how long it took, or that it failed.
function watch(name, sheet) {
  const began = performance.now();
  let isTold = false;
  return (error) => {
    if (isTold) return;
    isTold = true;
    const why = error ? String(error.code || error.message || error) : "";
    const waited = Math.round((performance.now() - began) * 10) / 10; // a reader likes few values
    const took = error && !ANSWERED.test(why) ? null : waited;
    sheet.add(REQUESTS, "trend", name, why, took, Boolean(error));
  };
}

// As written in the script, not filled in: one endpoint, not one for each guest.
function placeOf(flow, config) {
  const connect = flow[0]?.connect;
  const address = typeof connect === "string" ? connect : connect?.target ?? config.target ?? "";
  return String(address).replace(HOST, "").split(/[?#]/)[0] || "/";
}

function replace(engine, method, make) {
  engine[method] = make(engine[method]);
}
