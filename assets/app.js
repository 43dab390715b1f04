// Tabler's behaviour is switched on by data-bs-* attributes; only what pages use is bundled.
import "@tabler/core/js/src/bootstrap/dropdown.ts";
import "@tabler/core/js/src/bootstrap/tab.ts";

import { watchAutosubmit } from "./js/autosubmit.js";
import { watchBack } from "./js/back.js";
import { watchChoosing } from "./js/choosing.js";
import { watchConfirm } from "./js/confirm.js";
import { watchCopy } from "./js/copy.js";
import { watchDialogs } from "./js/dialogs.js";
import { watchErrors } from "./js/errors.js";
import { watchFileDrop } from "./js/file-drop.js";
import { watchInsert } from "./js/insert.js";
import { watchLocalTime } from "./js/local-time.js";
import { watchPasskeys } from "./js/passkeys.js";
import { watchPolling } from "./js/polling.js";
import { watchReadingPlace } from "./js/reading-place.js";
import { watchShortcuts } from "./js/shortcuts.js";
import { watchThemeSwitch } from "./js/theme-switch.js";
import { watchToasts } from "./js/toasts.js";
import { keepTyping } from "./js/typing.js";
import { watchWriting } from "./js/writing.js";
import { offerZones } from "./js/zone-offer.js";

// Every watcher listens on the document, so content that htmx brings in later works as well.
// The script is loaded with defer: the document is complete when this runs.
watchThemeSwitch();
watchDialogs();
watchConfirm();
watchCopy();
watchInsert();
watchAutosubmit();
watchChoosing();
watchShortcuts();
watchToasts();
// Before watchErrors: a poll that fails is told once, not every time.
watchPolling();
watchErrors();
watchFileDrop();
watchBack();
watchReadingPlace();
keepTyping();
watchWriting();
watchLocalTime();
offerZones();
watchPasskeys();
