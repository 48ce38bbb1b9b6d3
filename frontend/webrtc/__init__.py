"""What a page needs for its own side of the media: ICE servers and trickled candidates."""
