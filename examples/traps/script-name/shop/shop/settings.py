from shop.sound import *

FORCE_SCRIPT_NAME = "/shop"
