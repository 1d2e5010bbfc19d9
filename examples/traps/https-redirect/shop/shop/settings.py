from shop.sound import *

SECURE_SSL_REDIRECT = True
