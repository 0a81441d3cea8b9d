"""From a number that is shown back to the cells it rests on."""
