import { checkConfig } from "../../../stack/config";
import { enough, faultsOf, toldOf } from "./given";

test("the environment may say where this machine gets the sources of all stacks; a stack's own setting wins", () => {
  const env = {
    BOOTSTRAP_PXE_ISO_URL: "file:///srv/talos.iso",
    BOOTSTRAP_PXE_BASE_URL: "https://mirror/base.img",
  };
  expect(checkConfig(enough, "lab", [], env)).toMatchObject({
    isoUrl: "file:///srv/talos.iso",
    baseUrl: "https://mirror/base.img",
  });
  expect(checkConfig({ ...enough, isoUrl: "file:///mine.iso" }, "lab", [], env).isoUrl).toBe(
    "file:///mine.iso",
  );
  expect(faultsOf({}, [], { BOOTSTRAP_PXE_ISO_URL: "/srv/talos.iso" })).toEqual([
    "isoUrl: neither an https:// nor a file:// URL, and it comes from BOOTSTRAP_PXE_ISO_URL of the environment",
  ]);
});

describe("a source's query may be a signature or a token", () => {
  const [signed, isoSha256] = ["https://example.org/talos.iso?X-Sig=hunter2&a=b", "a".repeat(64)];

  test("the environment may have it, where the digest tells which file is meant", () => {
    const env = { BOOTSTRAP_PXE_ISO_URL: signed };
    expect(checkConfig({ ...enough, isoSha256 }, "lab", [], env).isoUrl).toBe(signed);
    expect(faultsOf({}, [], env)).toEqual([
      "isoUrl: what follows its question mark does not count as its name, so isoSha256 has to tell which file is meant",
    ]);
  });

  test("the stack's file may not, and no message shows it", () => {
    const configs: Record<string, string>[] = [
      { isoUrl: signed, isoSha256 },
      { isoUrl: signed },
      { isoUrl: `${signed} ` },
      { isoUrll: signed },
      { baseUrl: `${signed}#hunter2`, baseSha256: isoSha256 },
    ];
    for (const config of configs) expect(toldOf(config)).not.toContain("hunter2");
    expect(toldOf({ isoUrl: signed, isoSha256 })).toContain(
      'isoUrl = "https://example.org/talos.iso?[secret]": what follows its question mark may be a token, which the ' +
        "stack's file and Pulumi's history would show. Right: unset here, and BOOTSTRAP_PXE_ISO_URL in the environment of the command",
    );
  });
});
