from shop.sound import *

MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")
