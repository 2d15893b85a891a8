// Of a test in shards: which arrivals of a ramp are this worker's. Artillery deals those of every
// second out to its workers in turn; here each shard's workers are some of the workers of them all.
// Else every shard would round for itself, and a slow ramp would come to nobody, or to twice as many.

export function takePart(phases) {
  for (const phase of phases ?? []) {
    if (!phase.wedsyncPart) continue;
    const [number, of] = phase.wedsyncPart;
    phase.worker = (phase.worker - 1) * of + number + 1;
    phase.totalWorkers *= of;
  }
}
