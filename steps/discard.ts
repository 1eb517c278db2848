import { dirname } from "node:path";
import * as z from "zod";
import { listChecksums } from "./lib/checksums";
import { discard } from "./lib/files";
import { ownerOf, release } from "./lib/owner";
import { sweepImages, sweepPartials } from "./lib/partials.cjs";
import { runStep } from "./lib/step";

const Input = z.object({ path: z.string(), stack: z.string() });

// What is remembered of a step is what it made last, not what went.
delete process.env.LAST_RUN;

/** Removes a stack's image; another stack's is left alone. Caches stay: they are shared. */
void runStep("discard", Input, async ({ path, stack }, context) => {
  // What was killed may have made another version than the one that goes.
  sweepImages();
  sweepPartials(dirname(path));
  if (ownerOf(path) !== stack) return { path, removed: false };
  await discard(path);
  await listChecksums(dirname(path));
  await release(path);
  context.log(`removed ${path}`);
  return { path, removed: true };
});
