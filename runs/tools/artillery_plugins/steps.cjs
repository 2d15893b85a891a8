// Which steps of a flow its engine does not know. Artillery's HTTP engine takes any word for the
// method of a request, so one that is misspelt is sent, and no site knows it.
"use strict";

const { PAUSES } = require("./quiet.cjs");

const HTTP = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];
const KNOWN = {
  http: [...HTTP, "loop", "parallel", ...PAUSES],
  ws: ["connect", "send", "wait", "loop", ...PAUSES],
  socketio: ["emit", ...HTTP, "loop", "parallel", ...PAUSES],
};

// Of an engine that is not Artillery's own nobody here can say what it knows.
function unknownOf({ engine, flow }, config) {
  const known = KNOWN[engine ?? config.engine ?? "http"];
  if (!known) return { unknown: [], idle: false };
  const steps = leaves(flow);
  const unknown = steps.filter((step) => !known.some((word) => word in step)).map(nameOf);
  const pauses = steps.filter((step) => PAUSES.some((word) => word in step));
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

function nameOf(step) {
  return String(Object.keys(step)[0] ?? "{}").slice(0, 60);
}

module.exports = { unknownOf };
