"""A park: the plugin that the tests of the web pages switch on and off."""
