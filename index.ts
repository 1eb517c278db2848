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
import { inOneSentence, Rehearsal } from "./components/Rehearsal";
import { ServiceFiles } from "./components/ServiceFiles";
import { TalosIso } from "./components/TalosIso";
import { stackConfig } from "./components/stack-config";
import { nextSteps } from "./components/next-steps";
import { startersOf } from "./steps/talos/clusters";
import { surroundingsOf } from "./steps/talos/surroundings";

/** @pulumi/aws loads for longer than all the rest: only an upload waits for it. */
const loadPublication = () => import("./components/Publication");

export = async () => {
  const config = stackConfig();
  const { talosVersion, talosConfig, ageKeyFile } = config;
  const around = surroundingsOf(config);
  const { schematic } = around;

  const password = new random.RandomPassword("console", {
    length: 20,
    special: false,
    // A new version of the appliance gets a password of its own.
    keepers: { bootstrapVersion: config.bootstrapVersion },
  });
  const services = new ServiceFiles("services", config);
  const machineConfig = new MachineConfig("config", {
    path: config.machineConfig,
    talosConfig,
    ageKeyFile,
    allowPlaintext: config.allowPlaintextSecrets,
    ...around,
    acceptWarnings: config.acceptWarnings,
  });
  const { checked } = machineConfig;
  // What takes minutes waits for what takes a second and may refuse.
  const afterChecks = { dependsOn: [services, machineConfig] };
  const iso = new TalosIso(
    "talos",
    { talosVersion, schematic, url: config.isoUrl, sha256: config.isoSha256 },
    afterChecks,
  );
  const netboot = new NetbootAssets("netboot", {
    talosVersion,
    schematic,
    iso: iso.file,
    knownIso: iso.known,
  });
  const images = config.offline ? new ImagesLayer("images", { machineConfig }, afterChecks).layer : undefined;
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
    afterChecks,
  );
  const appliance = new Appliance("appliance", {
    base: base.layer,
    netboot: netboot.layer,
    images,
    files: services.files,
    bootScript: script.text,
    kernelLine: script.words,
    machineConfig: { path: config.machineConfig, talosConfig, ageKeyFile, checked },
    consoleHash: password.bcryptHash,
    bootstrapVersion: config.bootstrapVersion,
    artifactName: config.artifactName,
  });
  const { image } = appliance;
  const rehearsal = config.rehearse
    ? new Rehearsal("rehearsal", {
        config,
        image,
        knownImage: appliance.known,
        checked,
        kernelLine: script.line,
        images: images?.apply((layer) => layer.images),
      })
    : undefined;
  const compressed =
    config.compress === "none"
      ? undefined
      : new CompressedImage(
          "compressed",
          {
            image,
            path: appliance.path,
            format: config.compress,
            base: base.layer,
            netboot: netboot.layer,
            images,
          },
          // Only what booted is worth the work.
          { dependsOn: rehearsal ?? [] },
        );
  const publication =
    config.upload && rehearsal
      ? new (await loadPublication()).Publication("publication", {
          config,
          image,
          compressed: compressed?.file,
          images: images?.apply((layer) => layer.images),
          rehearsal: rehearsal.summary,
        })
      : undefined;

  await explainPreview();

  // Settled only when all of it is, so that no output names an image that failed its rehearsal.
  const result = pulumi.output({
    image,
    compressed: compressed?.file,
    rehearsal: rehearsal?.summary ?? ("not rehearsed" as const),
    checked,
  });
  return {
    /** The image to import, a path from the checkout's top. */
    imagePath: result.image.path,
    /** Its SHA-256, lower-case hex. */
    imageSha256: result.image.sha256,
    /** Its size in bytes; it is sparse and takes less on disk. */
    imageBytes: result.image.bytes,
    /** The compressed image beside it; unset with `compress` none. */
    ...(compressed && { compressedPath: result.apply((made) => made.compressed?.path) }),
    /** Where it lies in the bucket, compressed if so configured; unset with `upload` false. */
    ...(publication && { objectUri: publication.uri }),
    /** The images that the appliance serves, by their references; unset with `offline` false. */
    ...(images && {
      servedImages: images.apply((layer) => layer.images.map(({ reference }) => reference)),
      /** What the served machine config has more than the encrypted one, so that the images come from there: a patch, YAML. */
      mirrorPatch: checked.mirrorPatch,
      /** A patch for talosctl that takes the mirrors away again from the node, once the appliance is gone. */
      mirrorRemoval: checked.mirrorRemoval,
    }),
    /** How the rehearsal went, in a sentence, and the page that shows it; `not rehearsed` when switched off. */
    rehearsal: rehearsal ? rehearsal.summary.apply(inOneSentence) : "not rehearsed",
    /** Password of root on the appliance's console. */
    consolePassword: pulumi.secret(password.result),
    /** What to do with the image, in words. */
    nextSteps: result.apply((made) =>
      nextSteps(
        {
          ...made,
          stack: pulumi.getStack(),
          starters: startersOf(made.checked.cluster, pulumi.getStack()),
        },
        config,
      ),
    ),
  };
};
