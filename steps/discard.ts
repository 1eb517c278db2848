import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type * as z from "zod";
import * as contract from "./contracts/discard";
import { listChecksums } from "./store/checksums";
import { discard, intact } from "./store/files";
import { ownerOf, release } from "./store/owner";
import { sweepImages, sweepPartials } from "./store/partials.cjs";
import { runStep } from "./frame/main";

// What is remembered of a step is what it made last, not what went.
delete process.env.LAST_RUN;

/** Why a file has to stay, if it has to. */
function reasonToStay({ path, stack, key }: z.output<typeof contract.Input>): string | undefined {
  const owner = ownerOf(path);
  if (owner === stack) return undefined;
  if (!existsSync(path)) return "it is not there";
  if (owner !== undefined) return `it belongs to the stack ${owner}`;
  // Its owner's name was lost; its stamp still tells whether it is what this stack made.
  const isOwn = key !== undefined && intact(path)?.key === key;
  return isOwn ? undefined : "nothing beside it tells which stack made it: remove it yourself";
}

/** Removes a stack's image; another stack's is left alone. Caches stay: they are shared. */
void runStep("discard", contract, async (request, context) => {
  const { path } = request;
  // What was killed may have made another version than the one that goes.
  sweepImages();
  sweepPartials(dirname(path));
  const reason = reasonToStay(request);
  if (reason !== undefined) {
    context.log(`${path} is not removed: ${reason}`);
    return { path, removed: false };
  }
  await discard(path);
  await listChecksums(dirname(path));
  await release(path);
  context.log(`removed ${path}`);
  return { path, removed: true };
});
