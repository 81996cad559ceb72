import type { Request, RequestHandler } from "express";
import { PipelineError } from "../../base/errors.js";
import { readSqlVersion } from "../../consumption/sql-versions.js";
import { ASSETS, ASSETS_FOLDER, siteOfTexts } from "../../dictionary/site.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { Problem } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { PAGES } from "./addresses.js";

type Site = ReadonlyMap<string, string>;

/** The files of the data dictionary, as `pipeline docs` writes them, for the SQL of the newest publication. */
export function sendDictionary({ store }: Services): RequestHandler {
  let known: { readonly sqlHash: string; readonly site: Site } | undefined;
  const newestSite = async () => {
    const { publication } = await store.newest();
    const { sqlHash } = publication;
    if (known?.sqlHash !== sqlHash) {
      const texts = await store.ask((database) => readSqlVersion(database, sqlHash));
      known = { sqlHash, site: siteOfPublication(publication, texts) };
    }
    return known.site;
  };

  return async (request: Request<{ file?: string }>, response) => {
    const { file = "index.html" } = request.params;
    if (request.path === PAGES.dictionary) {
      // The pages link to each other as files of the same folder. This address is relative, too, so it is right below any prefix.
      response.redirect(308, "data/");
    } else if (ASSETS.includes(file)) {
      response.sendFile(file, { root: ASSETS_FOLDER, maxAge: "1h" });
    } else {
      const page = (await newestSite()).get(file);
      if (page === undefined) throw new Problem("not-found", `The data dictionary has no page ${file}.`);
      response.set("Cache-Control", "no-store").type("html").send(page);
    }
  };
}

function siteOfPublication({ sqlVersion }: Publication, texts: Site | undefined): Site {
  if (texts === undefined)
    throw new Problem("not-found", "The database does not have the SQL of the newest publication.");
  try {
    return siteOfTexts(sqlVersion, texts);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    throw new Problem(
      "not-found",
      "Another version of the pipeline made the SQL of the newest publication.",
      [],
      { cause: error },
    );
  }
}
