"""What each part of a combination contributes, and whether parts interact."""
