import { createHash } from "node:crypto";
import type { StackConfig } from "../stack/config/keys";
import { rehearsalSubject } from "../stack/rehearsal-subject";
import { argumentsIn, hasSerialConsole } from "../stack/talos-kernel";
import type { StepContext } from "../steps/frame/context";
import { decrypt } from "../steps/programs/sops";
import { readNodeConfig } from "../steps/talos/read-node-config";
import { servedConfig } from "../steps/talos/served-config";
import { surroundingsOf } from "../steps/talos/surroundings";
import { timeElsewhere } from "../steps/talos/time-source";
import { unseenDisk } from "../steps/talos/unseen-disk";
import { servedBy } from "./image-facts";

/** What the boot of a stack's image is checked against, which is the same as in `pulumi up`. */
export async function subjectOf(context: StepContext, config: StackConfig, image: string) {
  const secret = await decrypt(context, {
    path: config.machineConfig,
    ageKeyFile: config.ageKeyFile,
    allowPlaintext: config.allowPlaintextSecrets,
    setKey: "machineConfig",
  });
  const { bootScript, images } = await servedBy(context, image);
  const around = surroundingsOf(config);
  const node = readNodeConfig(secret);
  const served = servedConfig(secret, node, around);
  return {
    ...rehearsalSubject(config, { arguments: argumentsIn(bootScript) }),
    hasSerialConsole: hasSerialConsole(bootScript),
    image,
    configSha256: createHash("sha256").update(served.text).digest("hex"),
    timeElsewhere: timeElsewhere(served.node, around),
    unseenDisk: unseenDisk(node),
    images,
  };
}
