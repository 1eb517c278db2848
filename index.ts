import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Appliance } from "./components/Appliance";
import { BaseImage } from "./components/BaseImage";
import { folderDigest } from "./components/identity";
import { MachineConfig } from "./components/MachineConfig";
import { NetbootAssets } from "./components/NetbootAssets";
import { ServiceFiles } from "./components/ServiceFiles";
import { TalosIso } from "./components/TalosIso";
import { stackConfig } from "./stack-config";
import { nextSteps } from "./next-steps";

export = async () => {
  const config = stackConfig();
  const { talosVersion, machineConfig: path, talosConfig, ageKeyFile } = config;

  const console = new random.RandomPassword("console", {
    length: 20,
    special: false,
    // A new version of the appliance gets a password of its own.
    keepers: { bootstrapVersion: config.bootstrapVersion },
  });
  const files = new ServiceFiles("services", config);
  const machineConfig = new MachineConfig("machine-config", {
    path,
    talosConfig,
    ageKeyFile,
    allowPlaintext: config.allowPlaintextSecrets,
    talosVersion,
    minipcIp: config.minipcIp,
    minipcMac: config.minipcMac,
    applianceCidr: config.applianceCidr.cidr,
  });
  // What takes minutes waits for what takes a second and may refuse.
  const checked = { dependsOn: [files, machineConfig] };
  const iso = new TalosIso("talos", { talosVersion, url: config.isoUrl, sha256: config.isoSha256 }, checked);
  const netboot = new NetbootAssets("netboot", { talosVersion, iso: iso.file, knownIso: iso.known });
  const base = new BaseImage(
    "base",
    {
      source: config.baseSource,
      url: config.baseUrl,
      sha256: config.baseSha256,
      offline: config.baseOffline,
      accelerator: config.accelerator,
      templateDigest: await folderDigest("packer"),
    },
    checked,
  );
  const appliance = new Appliance("appliance", {
    base: base.layer,
    netboot: netboot.layer,
    files: files.files,
    machineConfig: { path, talosConfig, ageKeyFile, checked: machineConfig.checked },
    consoleHash: console.bcryptHash,
    bootstrapVersion: config.bootstrapVersion,
    artifactName: config.artifactName,
  });

  return {
    /** The image to import, a path from the checkout's top. */
    imagePath: appliance.image.path,
    /** Its SHA-256, lower-case hex. */
    imageSha256: appliance.image.sha256,
    /** Its size in bytes; it is sparse and takes less on disk. */
    imageBytes: appliance.image.bytes,
    /** `not rehearsed`: no rehearsal is built in yet. */
    rehearsal: "not rehearsed",
    /** Password of root on the appliance's console. */
    consolePassword: pulumi.secret(console.result),
    /** What to do with the image, in words. */
    nextSteps: appliance.image.apply((image) => nextSteps(image, config)),
  };
};
