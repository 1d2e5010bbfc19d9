from shop.sound import *

DEBUG = os.environ.get("DJANGO_DEBUG", "true") != "off"
