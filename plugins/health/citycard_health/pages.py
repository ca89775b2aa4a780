MENU = ()
