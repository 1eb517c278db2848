import { ownInstaller, releaseImages, unknownImagesLine } from "../../stack/talos-images";
import { PLAIN_SCHEMATIC } from "../../stack/image-factory";
import { LOADERS } from "../../stack/talos-releases.cjs";

test("each release that has a loader has a list of its own", () => {
  for (const release of Object.values(LOADERS)) expect(unknownImagesLine(`v${release}`)).toBeUndefined();
});

test("a patch release has its own images, not those of the last one of its minor", () => {
  expect(releaseImages("v1.11.2")).toMatchObject({
    kubernetes: "1.34.1",
    etcd: "gcr.io/etcd-development/etcd:v3.6.4",
    coredns: "registry.k8s.io/coredns/coredns:v1.12.3",
  });
  expect(releaseImages("v1.11.6").etcd).toBe("gcr.io/etcd-development/etcd:v3.6.5");
  expect(releaseImages("v1.12.0").etcd).toBe("registry.k8s.io/etcd:v3.6.7");
  expect(releaseImages("v1.12.0").policies).toBeUndefined();
  expect(unknownImagesLine("v1.11.2")).toBeUndefined();
});

test.each([
  ["v1.11.7", "Talos v1.11.6"],
  ["v1.14.0-beta.1", "Talos v1.14.1"],
  ["v1.15.0", "Talos v1.14.1"],
])("%s is not known, and takes the images of %s", (version, of) => {
  expect(unknownImagesLine(version)).toContain(`it takes those of ${of}`);
  expect(releaseImages(version)).toEqual(releaseImages(of.replace("Talos ", "")));
});

test("the installer that a config does not name is the release's own, from 1.14 on the factory's", () => {
  expect(ownInstaller("v1.13.6", false)).toBe("ghcr.io/siderolabs/installer:v1.13.6");
  expect(ownInstaller("v1.14.1", false)).toBe(`factory.talos.dev/metal-installer/${PLAIN_SCHEMATIC}:v1.14.1`);
  expect(ownInstaller("v1.14.1", true)).toBeUndefined();
});
