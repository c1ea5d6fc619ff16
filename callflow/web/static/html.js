// Markup without a build step: htm bound to Preact. Values are always text, never markup.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
