import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Appliance } from "./components/Appliance";
import { BaseImage } from "./components/BaseImage";
import { bootScript } from "./components/boot-script";
import { CompressedImage } from "./components/CompressedImage";
import { folderDigest } from "./components/identity";
import { ImagesLayer } from "./components/ImagesLayer";
import { MachineConfig } from "./components/MachineConfig";
import { NetbootAssets } from "./components/NetbootAssets";
import { explainPreview } from "./components/preview";
import { inOneSentence, Rehearsal, type RehearsalSummary } from "./components/Rehearsal";
import { ServiceFiles } from "./components/ServiceFiles";
import { TalosIso } from "./components/TalosIso";
import { stackConfig } from "./components/stack-config";
import { factoryPath } from "./stack/image-factory";
import { nextSteps } from "./components/next-steps";
import { startersOf } from "./steps/talos/clusters";

export = async () => {
  const config = stackConfig();
  const { talosVersion, machineConfig: path, talosConfig, ageKeyFile } = config;
  const schematic = config.talosSchematic ?? factoryPath(config.isoUrl ?? "")?.schematic;

  const console = new random.RandomPassword("console", {
    length: 20,
    special: false,
    // A new version of the appliance gets a password of its own.
    keepers: { bootstrapVersion: config.bootstrapVersion },
  });
  const files = new ServiceFiles("services", config);
  const machineConfig = new MachineConfig("config", {
    path,
    talosConfig,
    ageKeyFile,
    allowPlaintext: config.allowPlaintextSecrets,
    talosVersion,
    schematic,
    minipcIp: config.minipcIp,
    minipcMac: config.minipcMac,
    applianceCidr: config.applianceCidr.cidr,
    uplink: config.uplink,
    joins: config.joins,
    offline: config.offline,
    extraImages: config.extraImages,
    acceptWarnings: config.acceptWarnings,
  });
  // What takes minutes waits for what takes a second and may refuse.
  const checked = { dependsOn: [files, machineConfig] };
  const { isoUrl: url, isoSha256: sha256 } = config;
  const iso = new TalosIso("talos", { talosVersion, schematic, url, sha256 }, checked);
  const netboot = new NetbootAssets("netboot", {
    talosVersion,
    schematic,
    iso: iso.file,
    knownIso: iso.known,
  });
  const images = config.offline ? new ImagesLayer("images", { machineConfig }, checked).layer : undefined;
  const script = bootScript(config, netboot);
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
    bootScript: script.text,
    kernelLine: script.words,
    machineConfig: { path, talosConfig, ageKeyFile, checked: machineConfig.checked },
    consoleHash: console.bcryptHash,
    bootstrapVersion: config.bootstrapVersion,
    artifactName: config.artifactName,
  });
  const { image } = appliance;
  const boot = config.rehearse
    ? new Rehearsal("rehearsal", {
        config,
        image,
        knownImage: appliance.known,
        checked: machineConfig.checked,
        kernelLine: script.line,
      })
    : undefined;
  const rehearsal: pulumi.Output<RehearsalSummary | "not rehearsed"> =
    boot?.summary ?? pulumi.output("not rehearsed");
  const compressed =
    config.compress === "none"
      ? undefined
      : new CompressedImage(
          "compressed",
          { image, path: appliance.path, format: config.compress, base: base.layer, netboot: netboot.layer },
          // Only what booted is worth the work.
          { dependsOn: boot ?? [] },
        );

  const publication =
    config.upload && boot
      ? new (await import("./components/Publication")).Publication("publication", {
          config,
          image,
          compressed: compressed?.file,
          rehearsal: boot.summary,
        })
      : undefined;

  await explainPreview();

  // The outputs do not name an image that failed its rehearsal.
  const rehearsed = pulumi
    .all([image, rehearsal, compressed?.file, machineConfig.checked])
    .apply(([made, seen, small, checked]) => ({ made, seen, small, checked }));
  return {
    /** The image to import, a path from the checkout's top. */
    imagePath: rehearsed.made.path,
    /** Its SHA-256, lower-case hex. */
    imageSha256: rehearsed.made.sha256,
    /** Its size in bytes; it is sparse and takes less on disk. */
    imageBytes: rehearsed.made.bytes,
    /** The compressed image beside it; unset with `compress` none. */
    ...(compressed && { compressedPath: rehearsed.apply(({ small }) => small?.path) }),
    /** Where it lies in the bucket, compressed if so configured; unset with `upload` false. */
    ...(publication && { objectUri: publication.uri }),
    /** The images that the appliance serves, by their references; unset with `offline` false. */
    ...(images && {
      servedImages: images.apply((layer) => layer.images.map(({ reference }) => reference)),
      /** What the served machine config has more than the encrypted one, so that the images come from there: a patch, YAML. */
      mirrorPatch: machineConfig.checked.mirrorPatch,
    }),
    /** How the rehearsal went, in a sentence, and the page that shows it; `not rehearsed` when switched off. */
    rehearsal: rehearsal.apply((seen) => (seen === "not rehearsed" ? seen : inOneSentence(seen))),
    /** Password of root on the appliance's console. */
    consolePassword: pulumi.secret(console.result),
    /** What to do with the image, in words. */
    nextSteps: rehearsed.apply(({ made, seen, small, checked }) => {
      const starters = startersOf(checked.cluster, pulumi.getStack());
      return nextSteps({ image: made, compressed: small, rehearsal: seen, checked, starters }, config);
    }),
  };
};
