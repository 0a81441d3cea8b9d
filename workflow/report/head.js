"use strict";
// Runs before the first paint: with scripts, only one view is displayed, which is not the first one if
// the address names another.
document.documentElement.classList.add("js");
if (location.hash.length > 1) document.documentElement.classList.add("linked");
