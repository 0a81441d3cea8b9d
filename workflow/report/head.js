"use strict";
// Before anything is drawn: with scripts only one view is in the layout, and not the first one
// where the address names another.
document.documentElement.classList.add("js");
if (location.hash.length > 1) document.documentElement.classList.add("linked");
