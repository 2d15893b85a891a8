// What the flow of a scenario comes to: whether it makes any request that can be heard, and which
// of its steps its engine does not know.
"use strict";

const HEARD = ["http", "ws", "socketio"];
const PAUSES = ["think", "log", "function"];
const HTTP = require("node:http").METHODS.map((word) => word.toLowerCase());
const KNOWN = {
  http: [...HTTP, "loop", "parallel", ...PAUSES],
  ws: ["connect", "send", "wait", "loop", ...PAUSES],
  socketio: ["emit", ...HTTP, "loop", "parallel", ...PAUSES],
};

function engineOf(scenario, config) {
  return scenario.engine ?? config.engine ?? "http";
}

// It makes none where its engine is not Artillery's own, nor where it is HTTP's and only calls
// functions: its users' sessions say how they fared.
function isQuiet(scenario, config, heard = HEARD) {
  const engine = engineOf(scenario, config);
  return !heard.includes(engine) || (engine === "http" && areQuiet(scenario.flow));
}

function areQuiet(flow) {
  return Array.isArray(flow) && leaves(flow).every((step) => hasOne(step, PAUSES));
}

// Artillery's HTTP engine takes any word for the method of a request, so one that is misspelt is
// sent, and no site knows it. Of an engine that is not Artillery's own nobody here can say what it
// knows.
function unknownOf(scenario, config) {
  const engine = engineOf(scenario, config);
  if (!Object.hasOwn(KNOWN, engine)) return { unknown: [], idle: false };
  const steps = leaves(scenario.flow);
  const unknown = steps.filter((step) => !hasOne(step, KNOWN[engine])).map(nameOf);
  const pauses = steps.filter((step) => hasOne(step, PAUSES));
  const idle = unknown.length > 0 && unknown.length + pauses.length === steps.length;
  return { unknown: [...new Set(unknown)], idle };
}

// Every step, also those within loops.
function leaves(flow) {
  if (!Array.isArray(flow)) return [];
  return flow.flat().flatMap((step) => {
    const inner = step?.loop ?? step?.parallel;
    return Array.isArray(inner) ? leaves(inner) : [Object(step)];
  });
}

function hasOne(step, words) {
  return words.some((word) => Object.hasOwn(step, word));
}

function nameOf(step) {
  const name = step instanceof String ? step : (Object.keys(step)[0] ?? "{}");
  return String(name).slice(0, 60);
}

module.exports = { engineOf, isQuiet, unknownOf };
