import { existsSync } from "node:fs";
import { join } from "node:path";

/** The demo's image; tests/demo-image.cjs makes it before. */
export const IMAGE = join(__dirname, "../../artifacts/bootstrap/demo/bootstrap-pxe.raw");
if (!existsSync(IMAGE)) throw new Error(`${IMAGE} is not there: npm run demo makes it`);

/** The MAC in Pulumi.demo.yaml. */
export const MINIPC = "52:54:00:12:34:56";

/** What the appliance says on its consoles once it serves. */
export const SERVING = /bootstrap-pxe: serving (\S+) -> (\S+) on isolated \((\S+)\)/;

/** Software emulation on a busy machine of two cores; a wait ends as soon as what is awaited is there. */
export const LIMIT_MS = 180_000;
