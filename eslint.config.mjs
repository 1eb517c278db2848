import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import eachRows from "./tests/style/each-rows.cjs";

const node = Object.fromEntries(
  [
    "console",
    "process",
    "require",
    "module",
    "__dirname",
    "Buffer",
    "setInterval",
    "clearInterval",
    "AbortController",
  ].map((name) => [name, "readonly"]),
);

export default defineConfig(
  { ignores: ["artifacts/", "coverage/", "node_modules/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": ["error", { ignoreVoid: true }],
      "@typescript-eslint/only-throw-error": "error",
    },
  },
  {
    // By steps/programs/process.ts, a program gets no secret that is not for it.
    files: ["steps/**/*.ts"],
    ignores: ["steps/programs/process.ts"],
    rules: {
      "no-restricted-imports": ["error", { name: "execa", message: "Use run or start of process.ts." }],
    },
  },
  {
    files: ["tests/**/*.ts"],
    plugins: { tests: { rules: { "each-rows": eachRows } } },
    rules: { "tests/each-rows": "error" },
  },
  {
    files: ["**/*.cjs", "**/*.mjs"],
    languageOptions: { globals: { ...node, URL: "readonly" } },
  },
  {
    // For a browser.
    files: ["packer/**/*.js"],
    languageOptions: {
      sourceType: "script",
      globals: { document: "readonly", fetch: "readonly", AbortSignal: "readonly", setTimeout: "readonly" },
    },
  },
);
