// For an Artillery whose metric store is out of reach: what it publishes itself every 10 seconds.
import { Sheet } from "./sheet.js";

export function hearStatistics(events) {
  console.error(
    "WedSync cannot listen to this version of Artillery request by request: figures come every " +
      "10 seconds, without endpoints, and the last seconds of a stopped test are missing. " +
      "./wedsync tools installs a version that it knows.",
  );
  const sheet = new Sheet();
  events.on("stats", ({ counters = {}, histograms = {} }) => {
    sheet.users += change(counters);
    const failed = failures(counters);
    const values = expand(histograms["http.response_time"]);
    values.forEach((value, index) => {
      sheet.add("requests", "trend", "HTTP", "", value, index < failed);
    });
    for (const [name, count] of Object.entries(counters)) {
      if (/^errors\.E[A-Z_]+$/.test(name)) refused(sheet, name.slice("errors.".length), count);
      if (!name.startsWith("http.") && count) sheet.add(name, "counter", "", "", count);
    }
    sheet.flush();
  });
}

function change(counters) {
  const of = (name) => counters[`vusers.${name}`] ?? 0;
  return of("created") - of("completed") - of("failed");
}

function failures(counters) {
  return Object.entries(counters)
    .filter(([name]) => /^http\.codes\.[45]\d\d$/.test(name))
    .reduce((sum, [, count]) => sum + count, 0);
}

function refused(sheet, code, count) {
  for (let time = 0; time < count; time += 1) {
    sheet.add("requests", "trend", "HTTP", code, null, true);
  }
}

// The values that a sketch of Artillery's stands for, as near as it kept them.
function expand(sketch) {
  const count = sketch?.count ?? 0;
  return Array.from({ length: count }, (_, at) => sketch.getValueAtQuantile((at + 0.5) / count));
}
