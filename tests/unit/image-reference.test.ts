import { imageReference, registryOf, servedRepository } from "../../stack/image-reference";

const DIGEST = `sha256:${"0".repeat(64)}`;

// As containerd writes them out (distribution/reference, reference_test.go and normalize_test.go).
test.each([
  ["nginx", "docker.io/library/nginx:latest", "docker.io"],
  ["index.docker.io/cilium/cilium:v1", "docker.io/cilium/cilium:v1", "docker.io"],
  ["ghcr.io/siderolabs/kubelet:v1.34.1", "ghcr.io/siderolabs/kubelet:v1.34.1", "ghcr.io"],
  ["registry-1.docker.io/cilium/cilium:v1", "registry-1.docker.io/cilium/cilium:v1", "registry-1.docker.io"],
  ["Registry/a:v1", "Registry/a:v1", "Registry"],
  ["localhost/a:v1", "localhost/a:v1", "localhost"],
  ["registry:5000/a/b", "registry:5000/a/b:latest", "registry:5000"],
  [`ghcr.io/a/b@${DIGEST}`, `ghcr.io/a/b@${DIGEST}`, "ghcr.io"],
  [`ghcr.io/a/b:v1@${DIGEST}`, `ghcr.io/a/b:v1@${DIGEST}`, "ghcr.io"],
])("%s is written out", (image, reference, host) => {
  expect(imageReference(image)).toMatchObject({ reference, host });
  expect(registryOf(image)).toBe(host);
});

test.each(["", "a b", "Upper:v1", "ghcr.io/Upper:v1", "ghcr.io/a:", "ghcr.io/a:v1@sha256:12", "a@b@c", "/a"])(
  "%j is none",
  (image) => expect(imageReference(image)).toBeUndefined(),
);

test("a port has no colon in the appliance's registry", () => {
  const served = (image: string) => servedRepository(imageReference(image)!);
  expect(served("registry.local:5000/a/b:v1")).toBe("registry.local_5000/a/b");
  expect(served("nginx")).toBe("docker.io/library/nginx");
});
