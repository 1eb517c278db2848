import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import fc from "fast-check";
import { intact, publish } from "../../steps/store/files";
import { concatenate, Members } from "../../steps/disk/members";
import { onSmallDisk } from "../small-disk";
import { inToolEnvironment, sha256Of, tool, toolEnvironment } from "../tools";
import { stepContext } from "./disk";
import { layersIn, requestFor, type Layers } from "./small-image";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
const FORMATS = [
  ["gzip", ".gz", "gunzip"],
  ["zstd", ".zst", "unzstd"],
] as const;
const MARKER = "only-this-site-has-it";
let layers: Layers;
let number = 0;

beforeAll(async () => {
  layers = await layersIn(folder);
});

/** An image in a folder of its own, and what the step is given for it. */
async function imageWith(
  format: string,
  mac: string,
  cache = join(folder, `cache-${++number}`),
  more: object = {},
) {
  const path = join(folder, `image-${++number}`, "bootstrap-pxe.raw");
  const request = requestFor(layers, path);
  const files = { ...request.files, "site.env": `MINIPC_MAC=${mac}\n`, "boot.ipxe": `#!ipxe\n# ${MARKER}\n` };
  const { said, manifest } = await runStep(
    "appliance",
    { ...request, files, ...more },
    { CONSOLE_HASH: "x" },
  );
  if (!manifest) throw new Error(said);
  const { sha256 } = manifest as { sha256: string };
  return {
    key: sha256.slice(0, 20),
    path: `${path}${format === "gzip" ? ".gz" : ".zst"}`,
    stack: "lab",
    image: { path, sha256 },
    format,
    layers: { base: { key: `${format}-base` }, netboot: { key: `${format}-netboot` } },
    cache,
  };
}

/** Every kept member with what tells that it was not written again. */
const membersIn = (cache: string) =>
  readdirSync(cache).map((name) => {
    const { ino, mtimeMs } = statSync(join(cache, name));
    return { name, ino, mtimeMs };
  });

/** What a program makes of a file, as SHA-256. */
const sumOf = async (program: string, path: string) =>
  (await tool("sh", ["-c", `${program} -c < '${path}' | sha256sum`])).slice(0, 64);

test("the layer of images is a kept member like the others; a request that does not name it is refused", async () => {
  const request = await imageWith("zstd", "52:54:00:12:34:56", undefined, { images: layers.netboot });
  const kept = { ...request.layers, images: { key: "zstd-images" } };
  const { manifest } = await runStep("compress", { ...request, layers: kept });
  expect(await sumOf("unzstd", request.path)).toBe(request.image.sha256);
  expect(manifest).toBeDefined();
  expect(membersIn(request.cache).map(({ name }) => name)).toContain("images-zstd-images.zst");
  const { said } = await runStep("compress", { ...request, key: "other" });
  expect(said).toContain("its layers are not where they should be");
});

describe.each(FORMATS)("%s", (format, ending, unpack) => {
  test(`${unpack} gives the very image, and its checksum is listed`, async () => {
    const request = await imageWith(format, "52:54:00:12:34:56");
    const { manifest, said } = await runStep("compress", request);
    const packed = `${request.image.path}${ending}`;
    expect(said).toMatch(/^\d+ MiB of 17: /m);
    expect(manifest).toEqual({
      path: packed,
      sha256: sha256Of(readFileSync(packed)),
      bytes: statSync(packed).size,
    });
    expect(await sumOf(unpack, packed)).toBe(request.image.sha256);
    expect(statSync(packed).size).toBeLessThan(statSync(request.image.path).size / 10);
    expect((statSync(packed).mode & 0o777).toString(8)).toBe("600");
    await tool("sh", ["-c", `cd ${dirname(packed)} && sha256sum --check --quiet SHA256SUMS`]);
    expect(readFileSync(join(dirname(packed), "SHA256SUMS"), "utf8")).toContain(basename(packed));
  });

  test("for another MAC only the table and the site are compressed", async () => {
    const first = await imageWith(format, "52:54:00:12:34:56");
    await runStep("compress", first);
    const before = membersIn(first.cache);
    expect(
      before
        .map(({ name }) => name)
        .filter((name) => !name.startsWith("."))
        .sort(),
    ).toEqual([`base-${format}-base${ending}`, `netboot-${format}-netboot${ending}`]);
    const second = await imageWith(format, "52:54:00:65:43:21", first.cache);
    expect(second.image.sha256).not.toBe(first.image.sha256);
    await runStep("compress", second);
    expect(membersIn(first.cache)).toEqual(before);
    expect(await sumOf(unpack, second.path)).toBe(second.image.sha256);
  });

  test("the same image gives the same bytes, without its name or a time", async () => {
    const [one, two] = [
      await imageWith(format, "52:54:00:12:34:56"),
      await imageWith(format, "52:54:00:12:34:56"),
    ];
    const made = await runStep("compress", one);
    const again = await runStep("compress", two);
    expect(again.manifest?.sha256).toBe(made.manifest?.sha256);
    const packed = readFileSync(one.path);
    expect(packed.includes("bootstrap-pxe")).toBe(false);
    // RFC 1952, section 2.3: no flag set, so no name, and the time is none.
    if (format === "gzip") expect(packed.subarray(0, 8).toString("hex")).toBe("1f8b080000000000");
  });

  test("nothing of the site is kept", async () => {
    const request = await imageWith(format, "52:54:00:12:34:56");
    expect(readFileSync(request.image.path).includes(MARKER)).toBe(true);
    await runStep("compress", request);
    const kept = readdirSync(request.cache).filter((name) => name.endsWith(ending));
    expect(kept).toHaveLength(2);
    for (const name of kept) {
      const content = await tool("sh", [
        "-c",
        `${unpack} -c < '${join(request.cache, name)}' | grep -ac ${MARKER} || true`,
      ]);
      expect(content.trim()).toBe("0");
    }
  });

  test("a kept member that was altered is made again", async () => {
    const request = await imageWith(format, "52:54:00:12:34:56");
    await runStep("compress", request);
    const sum = sha256Of(readFileSync(request.path));
    writeFileSync(join(request.cache, `base-${format}-base${ending}`), "spoilt");
    const { manifest } = await runStep("compress", { ...request, key: "another" });
    expect(manifest?.sha256).toBe(sum);
    expect(await sumOf(unpack, request.path)).toBe(request.image.sha256);
  });
});

test("an image that was touched is refused, and nothing is left of it", async () => {
  const request = await imageWith("gzip", "52:54:00:12:34:56");
  writeFileSync(request.image.path, "x", { flag: "r+" });
  const { manifest, said } = await runStep("compress", request);
  expect(manifest).toBeUndefined();
  expect(said).toContain("it is not the image that was made for this. Run pulumi up again");
  expect(
    readdirSync(dirname(request.path)).filter((name) => /gz|partial/.test(name) && !name.endsWith("owner")),
  ).toEqual([]);
});

test("an image that was altered, its time put back, is refused, and counts as missing from then on", async () => {
  const request = await imageWith("gzip", "52:54:00:12:34:56");
  const { path, sha256 } = request.image;
  const timed = `${path}.timed`;
  await tool("touch", ["-r", path, timed]);
  writeFileSync(path, "x", { flag: "r+" });
  await tool("touch", ["-r", timed, path]);
  const { manifest, said } = await runStep("compress", request);
  expect(manifest).toBeUndefined();
  expect(said).toContain(`and it was made with ${sha256}: something altered it`);
  expect(intact(path)).toBeUndefined();
});

test("an image with other partitions is refused", async () => {
  const request = await imageWith("gzip", "52:54:00:12:34:56");
  await tool("cp", [layers.base.path, `${request.image.path}.made`]);
  const { sha256 } = await publish(`${request.image.path}.made`, request.image.path, "k");
  const { said } = await runStep("compress", { ...request, image: { ...request.image, sha256 } });
  expect(said).toContain("its layers are not where they should be");
});

test("another stack's file is left alone", async () => {
  const request = await imageWith("gzip", "52:54:00:12:34:56");
  await runStep("compress", request);
  const { said } = await runStep("compress", { ...request, stack: "nuc2", key: "another" });
  expect(said).toContain("it belongs to the stack lab");
});

test("a full disk is one line that says which", async () => {
  const request = await imageWith("gzip", "52:54:00:12:34:56");
  const path = join(folder, "full", "bootstrap-pxe.raw.gz");
  const input = JSON.stringify({ ...request, path });
  const onFullDisk = onSmallDisk(8, dirname(path), ["steps/run", "compress"]);
  const { exitCode, stderr } = await inToolEnvironment(...onFullDisk, { input });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`compress: writing to ${dirname(path)}: its disk is full`);
  expect(stderr).not.toContain("    at ");
  const members = new Members(stepContext(folder), "gzip");
  const [source, full] = [await open(request.image.path), await open("/dev/full", "w")];
  await expect(members.write(source, { start: 0, end: 4096 }, full)).rejects.toMatchObject({
    code: "ENOSPC",
  });
  await Promise.all([source.close(), full.close()]);
});

test("how far it is shows in MiB and in per cent", async () => {
  const slow = join(folder, "slow");
  mkdirSync(slow);
  const compressor = join(slow, "libdeflate-gzip");
  const real = (await tool("sh", ["-c", "command -v libdeflate-gzip"])).trim();
  // Longer than what is between two lines, so that one falls into the work.
  writeFileSync(compressor, `#!/bin/sh\nsleep 1.1\nexec ${real} "$@"\n`);
  chmodSync(compressor, 0o755);
  const request = await imageWith("gzip", "52:54:00:12:34:56");
  const { said } = await runStep("compress", request, { PATH: `${slow}:${toolEnvironment.PATH}` });
  expect(said).toMatch(/^\d+ %, \d+ of 17 MiB of bootstrap-pxe\.raw\.gz$/m);
});

test("all that was given is counted, chunks of zeros too", async () => {
  const [zeros, out] = [join(folder, "zeros"), join(folder, "zeros.gz")];
  await tool("truncate", ["--size=40M", zeros]);
  const members = new Members(stepContext(folder), "gzip");
  const [source, target] = [await open(zeros), await open(out, "wx")];
  await members.write(source, { start: 0, end: 40 << 20 }, target);
  await Promise.all([source.close(), target.close()]);
  expect(members.done).toBe(40 << 20);
  expect(await sumOf("gunzip", out)).toBe(sha256Of(Buffer.alloc(40 << 20)));
});

test("a member whose last byte is that of a line's end keeps it", async () => {
  // The checksum at the end of its frame ends with 0x0a (RFC 8878, section 3.1.1).
  const content = "content 39";
  const [plain, out] = [join(folder, "plain"), join(folder, "plain.zst")];
  writeFileSync(plain, content);
  const [source, target] = [await open(plain), await open(out, "wx")];
  await new Members(stepContext(folder), "zstd").write(source, { start: 0, end: content.length }, target);
  await Promise.all([source.close(), target.close()]);
  expect(readFileSync(out).at(-1)).toBe(0x0a);
  expect(await tool("unzstd", ["-c", out])).toBe(content);
});

test("members behind each other are unpacked as one", async () => {
  const context = stepContext(folder);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 5 }),
      async (parts) => {
        const files = await Promise.all(
          parts.map(async (part, index) => {
            const path = join(folder, `part-${++number}-${index}`);
            writeFileSync(path, part);
            await tool("sh", ["-c", `libdeflate-gzip -n -c < ${path} > ${path}.gz`]);
            return `${path}.gz`;
          }),
        );
        const whole = join(folder, `whole-${++number}`);
        expect(await concatenate(context, files, whole)).toBe(sha256Of(readFileSync(whole)));
        expect(await sumOf("gunzip", whole)).toBe(sha256Of(Buffer.concat(parts)));
      },
    ),
    { numRuns: 15 },
  );
});
