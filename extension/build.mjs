// Builds the extension for Chrome and Firefox into dist/, from src/ and the rows of src/sites.ts.
//   node build.mjs           both packages
//   node build.mjs --test    the unit tests of ../tests/extension into build/test
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const root = import.meta.dirname;
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
const common = { bundle: true, absWorkingDir: root, target: ["chrome120", "firefox140"], legalComments: "none", charset: "utf8" };

if (process.argv.includes("--test")) await buildTests();
else {
  const sites = await rows();
  for (const browser of ["chrome", "firefox"]) await buildFor(browser, sites);
}

async function rows() {
  const { outputFiles } = await build({ ...common, entryPoints: ["src/sites.ts"], format: "esm", write: false });
  const { SITES } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  return SITES;
}

async function buildFor(browser, sites) {
  const out = join(root, "dist", browser);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    ...common,
    entryPoints: {
      tap: "src/tap.ts",
      content: "src/content/main.ts",
      worker: "src/worker/main.ts",
      popup: "src/pages/popup.ts",
      options: "src/pages/options.ts",
      pair: "src/pages/pair.ts",
    },
    outdir: out,
    format: "iife",
    minify: true,
    define: { WIRE: JSON.stringify(sites.filter((site) => site.wire).map(({ hosts, wire }) => ({ hosts, wire }))) },
  });
  const shell = await readFile(join(root, "src/pages/page.html"), "utf8");
  for (const [page, look] of Object.entries({ popup: "popup", options: "wide", pair: "wide" }))
    await writeFile(join(out, `${page}.html`), shell.replace("LOOK", look).replace("PAGE", page));
  await cp(join(root, "src/pages/pages.css"), join(out, "pages.css"));
  await cp(join(root, "_locales"), join(out, "_locales"), { recursive: true });
  await cp(join(root, "icons"), join(out, "icons"), { recursive: true });
  await writeFile(join(out, "manifest.json"), JSON.stringify(manifest(browser, sites), null, 2) + "\n");
}

function manifest(browser, sites) {
  const patterns = (site) => site.hosts.map((host) => `https://${host}${site.path ?? "/"}*`);
  const matches = sites.flatMap(patterns);
  const wired = sites.filter((site) => site.wire?.length).flatMap(patterns);
  const icons = Object.fromEntries([16, 32, 48, 128].map((size) => [size, `icons/${size}.png`]));
  return {
    manifest_version: 3,
    name: "Satchel",
    version,
    description: "__MSG_description__",
    default_locale: "en",
    icons,
    action: { default_popup: "popup.html", default_icon: icons, default_title: "Satchel" },
    // A private window is meant to leave no traces.
    incognito: "not_allowed",
    options_ui: { page: "options.html", open_in_tab: true },
    permissions: ["storage", "unlimitedStorage", "alarms", "scripting", "contextMenus", "activeTab"],
    host_permissions: ["http://127.0.0.1/*", ...matches],
    optional_host_permissions: ["https://*/*", "http://*/*"],
    content_scripts: [
      { matches: wired, js: ["tap.js"], run_at: "document_start", world: "MAIN" },
      { matches, js: ["content.js"], run_at: "document_start" },
    ],
    commands: {
      preview: { suggested_key: { default: "Alt+Shift+M" }, description: "__MSG_command_preview__" },
    },
    content_security_policy: {
      extension_pages: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src http://127.0.0.1:*",
    },
    ...(browser === "chrome"
      ? { minimum_chrome_version: "120", background: { service_worker: "worker.js" } }
      : {
          background: { scripts: ["worker.js"] },
          browser_specific_settings: {
            gecko: {
              id: "satchel@satchel.invalid",
              strict_min_version: "140.0",
              data_collection_permissions: { required: ["none"] },
            },
            gecko_android: { strict_min_version: "142.0" },
          },
        }),
  };
}

async function buildTests() {
  const tests = join(root, "../tests/extension");
  const found = (await readdir(tests, { recursive: true })).filter((name) => name.endsWith(".test.ts"));
  const out = join(root, "build/test");
  await rm(out, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: found.map((name) => join(tests, name)),
    outdir: out,
    outbase: tests,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node20",
    format: "esm",
    nodePaths: [join(root, "node_modules")],
    sourcemap: "inline",
    banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
  });
}
