import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

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
    files: ["**/*.cjs", "**/*.mjs"],
    languageOptions: { globals: { ...node, URL: "readonly" } },
  },
);
