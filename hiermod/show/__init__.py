"""Text and pictures of answers; knows nothing of how they were computed."""
